export class ScoreFeed {
  constructor(url) {
    this.url = url;
    this.closed = false;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.onclose = () => {
      if (this.closed) return;
      this.retry = setTimeout(() => this.connect(), 3000);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket.close();
  }
}
