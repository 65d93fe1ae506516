async def follow(self, url):
    async for connection in websockets.connect(url):
        async for raw in connection:
            part = json.loads(raw)
            self.transcript += part["text"]  # sent once more after a reconnect, it stands there twice
