import aiohttp


class Uplink:
    async def connect(self, session: aiohttp.ClientSession, url: str) -> None:
        self.ws = await session.ws_connect(url, heartbeat=20)

    async def report(self, reading: dict) -> None:
        if not self.ws.closed:
            await self.ws.send_json(reading)
