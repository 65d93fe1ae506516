const socket = new WebSocket(url);
let transcript = "";
let lastPart = 0;

socket.addEventListener("message", (event) => {
  const part = JSON.parse(event.data);
  if (part.number <= lastPart) {
    return;
  }
  lastPart = part.number;
  transcript += part.text;
  view.show(transcript);
});
