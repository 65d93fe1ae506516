async def follow(self, url):
    async for connection in websockets.connect(url):
        async for raw in connection:
            part = json.loads(raw)
            if part["number"] <= self.last_part:
                continue
            self.last_part = part["number"]
            self.transcript += part["text"]
