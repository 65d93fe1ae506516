export class ScoreFeed {
  constructor(url) {
    this.url = url;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.onclose = () => {
      this.retry = setTimeout(() => this.connect(), 3000);
    };
  }

  close() {
    clearTimeout(this.retry);
    this.socket.close();
  }
}
