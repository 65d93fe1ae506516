class Uplink {
  constructor(url) {
    this.socket = new WebSocket(url);
  }

  report(reading) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(reading)); // OPEN long after the peer has gone
    }
  }
}
