"""What the studio's server answers: the page, the state of the project, and its files."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, get_args

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from frame2sound.errors import Frame2SoundError
from frame2sound.rendering.events.event_list import read_bed, read_events
from frame2sound.rendering.modes import Mode
from frame2sound.web.comparison_pages import comparison_page
from frame2sound.web.controls import controls
from frame2sound.web.draw_requests import DRAW_REQUESTS
from frame2sound.web.exports import add_export, send_export
from frame2sound.web.job import Job
from frame2sound.web.media import send_drawing, send_file
from frame2sound.web.page_files import page_file
from frame2sound.web.pair_pages import pair_page
from frame2sound.web.peaks import load_waveform
from frame2sound.web.project import ANIMATIONS
from frame2sound.web.requests import (
    REQUESTS,
    add_wav,
    animation_seconds,
    parse_request,
    recipe_list,
)
from frame2sound.web.security import Access, Guard
from frame2sound.web.studio import Studio
from frame2sound.web.uploads import TooLargeError, save_upload

MAX_REQUEST_BYTES = 16 << 20
"""Largest request but uploads: a list of a hundred thousand events has less."""

MAX_PIECES = 20_000

Answer = Callable[[Studio, Request], Awaitable[Response]]

_REQUESTS = {**REQUESTS, **DRAW_REQUESTS}


def build_app(studio: Studio, access: Access) -> Starlette:
    """Return the server's application."""

    def route(path: str, answer: Answer, method: str = "GET") -> Route:
        @wraps(answer)
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(studio, request)
            except TooLargeError as error:
                return _error(str(error), 413)
            except Frame2SoundError as error:
                return _error(_for_the_page(str(error), studio), 400)
            except FileNotFoundError:
                return _error(_missing(studio), 400)

        return Route(path, endpoint, methods=[method])

    routes = [
        route("/", _page),
        route("/page/{name:path}", _page_file),
        route("/api/state", _state),
        route("/api/choices", _choices),
        route("/api/library", _library),
        route("/api/library/{film}/{kind}", _film_picture),
        route("/api/peaks", _peaks),
        route("/api/events", _events),
        route("/api/upload", _upload, "POST"),
        route("/api/jobs/{kind:str}", _add_job, "POST"),
        route("/api/job/{number:str}/{action:str}", _change_job, "POST"),
        route("/api/job/{number:str}/export/{kind:str}", _add_export, "POST"),
        route("/api/job/{number:str}/download", _download),
        route("/media/{name:path}", _media),
        route("/drawing/{name:path}", _drawing),
        route("/pair/{name}/report.html", _pair_page),
        route("/comparison/{name}/report.html", _comparison),
        route("/comparison/{name}/{file:path}", _comparison_file),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={HTTPException: _http_error, Exception: _unexpected},
    )


async def _page(studio: Studio, request: Request) -> Response:
    return await run_in_threadpool(page_file, "index.html")


async def _page_file(studio: Studio, request: Request) -> Response:
    return await run_in_threadpool(page_file, request.path_params["name"])


async def _state(studio: Studio, request: Request) -> Response:
    return JSONResponse(await run_in_threadpool(studio.state))


async def _choices(studio: Studio, request: Request) -> Response:
    return JSONResponse(await run_in_threadpool(_choice_table))


def _choice_table() -> dict[str, Any]:
    return {
        "controls": msgspec.to_builtins(controls()),
        "modes": list(get_args(Mode)),
        "recipes": recipe_list(),
    }


async def _library(studio: Studio, request: Request) -> Response:
    return JSONResponse(await run_in_threadpool(studio.library_table))


async def _film_picture(studio: Studio, request: Request) -> Response:
    film, kind = request.path_params["film"], request.path_params["kind"]
    if kind not in ("strip", "spectrogram"):
        raise HTTPException(404)
    path = await run_in_threadpool(studio.film_picture, film, kind)
    return FileResponse(path, media_type="image/webp")


async def _peaks(studio: Studio, request: Request) -> Response:
    """Send the waveform of a file as int16: lowest and highest sample of each piece in turns."""
    path = studio.project.file(request.query_params.get("name", ""))
    pieces = _whole_number(request, "pieces", 1, MAX_PIECES)
    waveform = await run_in_threadpool(load_waveform, path, studio.cache)
    content = waveform.zoomed(pieces).astype("<i2").tobytes()
    headers = {"X-Seconds": f"{waveform.seconds:.6f}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _events(studio: Studio, request: Request) -> Response:
    path = studio.project.file(request.query_params.get("name", ""))
    return JSONResponse(await run_in_threadpool(_events_table, path))


def _events_table(path: Path) -> dict[str, Any]:
    return {
        "events": msgspec.to_builtins(read_events(path)),
        "bed": msgspec.to_builtins(read_bed(path)),
    }


async def _upload(studio: Studio, request: Request) -> Response:
    query, length = request.query_params, request.headers.get("content-length", "")
    name = await save_upload(
        studio.project,
        query.get("part", ""),
        query.get("name", ""),
        query.get("folder", ""),
        request.stream(),
        int(length) if re.fullmatch(r"\d{1,15}", length) else None,
        studio.max_upload_bytes,
    )
    if name.startswith(f"{ANIMATIONS}/"):
        with suppress(Frame2SoundError):  # its first seconds are asked for next
            await run_in_threadpool(animation_seconds, studio.project.resolve(name))
    return JSONResponse({"name": name})


async def _add_job(studio: Studio, request: Request) -> Response:
    known = _REQUESTS.get(request.path_params["kind"])
    if known is None:
        raise HTTPException(404)
    kind, add = known
    asked = parse_request(await _body(request), kind)
    job: Job = await _named(studio, add, studio.project, studio.queue, asked)
    return JSONResponse(job.to_dict())


async def _named(studio: Studio, add: Callable[..., Job], *asked: object) -> Job:
    """Queue a job; no other request chooses a name meanwhile."""

    def choose() -> Job:
        with studio.queue.naming:
            return add(*asked)

    return await run_in_threadpool(choose)


async def _change_job(studio: Studio, request: Request) -> Response:
    number, action = _job_number(request), request.path_params["action"]
    if action == "stop":
        job = studio.queue.stop(number)
    elif action == "again":
        job = await run_in_threadpool(studio.queue.again, number)
    elif action == "wav":
        job = await _named(studio, add_wav, studio.project, studio.queue, number)
    else:
        raise HTTPException(404)
    return JSONResponse(job.to_dict())


def _job_number(request: Request) -> int:
    text = request.path_params["number"]
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise HTTPException(404)
    return int(text)


async def _add_export(studio: Studio, request: Request) -> Response:
    number, kind = _job_number(request), request.path_params["kind"]
    job: Job = await _named(studio, add_export, studio.queue, number, kind)
    return JSONResponse(job.to_dict())


async def _download(studio: Studio, request: Request) -> Response:
    job = studio.queue.find(_job_number(request))
    return await run_in_threadpool(send_export, studio.project, job)


async def _media(studio: Studio, request: Request) -> Response:
    download = "download" in request.query_params
    return send_file(studio.project, request.path_params["name"], download=download)


async def _drawing(studio: Studio, request: Request) -> Response:
    return send_drawing(studio.project, request.path_params["name"])


async def _pair_page(studio: Studio, request: Request) -> Response:
    return pair_page(studio.project, request.path_params["name"])


async def _comparison(studio: Studio, request: Request) -> Response:
    return await run_in_threadpool(comparison_page, studio.project, request.path_params["name"])


async def _comparison_file(studio: Studio, request: Request) -> Response:
    name = f"comparisons/{request.path_params['name']}/{request.path_params['file']}"
    return send_file(studio.project, name)


async def _body(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_REQUEST_BYTES:
            raise TooLargeError(f"the request is over the limit of {MAX_REQUEST_BYTES >> 20} MB")
    return content


def _whole_number(request: Request, name: str, low: int, high: int) -> int:
    text = request.query_params.get(name, "")
    return min(max(int(text), low), high) if re.fullmatch(r"\d{1,9}", text) else low


def _for_the_page(message: str, studio: Studio) -> str:
    """Return a message without the marks of parameters, and with paths as the page names them."""
    return re.sub(r"`(\w+)[^`]*`", r"\1", message).replace(f"{studio.project.root}/", "")


def _missing(studio: Studio) -> str:
    root = studio.project.root
    if not root.is_dir():
        return f"{root} is no longer there; put it back, or open another folder"
    return f"a file or a folder of {root.name} is no longer there; reload the page"


def _error(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error("there is no such address; reload the page", error.status_code)


async def _unexpected(request: Request, error: Exception) -> Response:
    return _error(f"this is a bug ({type(error).__name__}); what was made is kept", 500)
