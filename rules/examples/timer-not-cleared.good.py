import asyncio

from outbox import DeliveryError, deliver
from toast import show_error, show_warning


async def submit_draft(draft: str) -> None:
    loop = asyncio.get_running_loop()
    slow_notice = loop.call_later(5, show_warning, "Delivery could not be confirmed")

    try:
        await deliver(draft)
    except DeliveryError as failure:
        show_error(str(failure))
    finally:
        slow_notice.cancel()
