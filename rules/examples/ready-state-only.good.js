class Uplink {
  constructor(url) {
    this.socket = new WebSocket(url);
    this.missedPongs = 0;
    this.socket.onmessage = () => {
      this.missedPongs = 0;
    };
  }

  report(reading) {
    if (this.socket.readyState === WebSocket.OPEN && this.missedPongs === 0) {
      this.socket.send(JSON.stringify(reading));
    }
  }
}
