import asyncio

import websockets


class ScoreFeed:
    async def __aenter__(self):
        self.socket = await websockets.connect("wss://scores.example.com")
        self.beat()
        return self

    def beat(self):
        loop = asyncio.get_running_loop()
        loop.create_task(self.socket.send("here"))
        self.next_beat = loop.call_later(20, self.beat)

    async def __aexit__(self, *failure):
        await self.socket.close()
