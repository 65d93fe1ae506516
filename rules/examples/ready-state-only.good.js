class Uplink {
  constructor(url) {
    this.socket = new WebSocket(url);
    this.missedPongs = 0;
    this.socket.onmessage = () => {
      this.missedPongs = 0;
    };
    setInterval(() => {
      this.missedPongs += 1;
      this.socket.send("ping");
    }, 10_000);
  }

  report(reading) {
    if (this.socket.readyState === WebSocket.OPEN && this.missedPongs < 2) {
      this.socket.send(JSON.stringify(reading));
    }
  }
}
