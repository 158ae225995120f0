"""A posted form with one file in it."""

from aiohttp import web
from aiohttp.web_request import FileField

from gateway.http.refusals import BadRequest


async def posted_with_file(request: web.Request, longest: int) -> tuple[dict[str, str], bytes | None]:
    """The fields of a form, and what is in its file; none where no file was chosen. Its name becomes ``file_name``.

    Such a form may be longer than others: ``longest`` bytes for the file, and as much again for what is pasted. A
    longer one ends in 413.
    """
    request = request.clone(client_max_size=3 * longest)
    try:
        posted = await request.post()
    except ValueError:
        raise BadRequest(part="form") from None
    values = {name: value for name, value in posted.items() if isinstance(value, str)}
    for value in posted.values():
        if isinstance(value, FileField):
            content = value.file.read(longest + 1)
            if content:
                return {**values, "file_name": value.filename[:200]}, content
    return values, None
