const socket = new WebSocket(url);
let transcript = "";

socket.addEventListener("message", (event) => {
  const part = JSON.parse(event.data);
  transcript += part.text; // sent once more after a reconnect, it stands there twice
  view.show(transcript);
});
