"""Files for a logged-in person: a version straight from the database, or what was made for them before."""

from collections.abc import Iterator
from itertools import islice

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from bioui import leading, outgoing, prediction_files
from bioui.gate import user_of
from db import (
    assignments,
    batch_export,
    batch_figures,
    batches,
    datasets,
    leaderboard,
    preferences,
    projects,
    users,
)
from db.exchange.writers import record_export
from db.leaderboard_table import as_csv
from db.policy import PolicyError, Right, require
from db.session import read, write

router = APIRouter()
LINES_A_PIECE = 500


def version_href(version_id: int) -> str:
    """Where a dataset version can be downloaded."""
    return f"/datasets/versions/{version_id}.jsonl"


@router.get("/datasets/versions/{version_id}.jsonl")
def download_version(version_id: int, request: Request) -> Response:
    """The rows of a version as JSONL. 403 without the right to read, 404 when there is no such version."""
    try:
        with read() as session:
            require(users.get_actor(session, user_of(request) or ""), Right.READ)
            version = datasets.get_version(session, version_id)
            name = _file_name(f"{version.dataset.name}-v{version.number}")
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.jsonl"'}
    return StreamingResponse(_pieces(version_id), media_type="application/jsonl", headers=disposition)


@router.get("/evaluate/leaderboard.csv")
def download_leaderboard(request: Request, project: int) -> Response:
    """The project's leaderboard as CSV. 403 without the right to read, 404 when there is no such project."""
    try:
        with read() as session:
            require(users.get_actor(session, user_of(request) or ""), Right.READ)
            name = _file_name(projects.get_project(session, project).name)
            text = as_csv(leaderboard.read_board(session, project))
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    disposition = {"Content-Disposition": f'attachment; filename="leaderboard-{name}.csv"'}
    return Response(text, media_type="text/csv", headers=disposition)


@router.get("/rounds/{round_id}/preferences.jsonl")
def download_preferences(round_id: int, request: Request, project: int) -> Response:
    """A round's votes as preference pairs for TRL, noted in the audit. 403 without the right to lead rounds,
    and for a rater who still votes in it; 404 when the project has no such round.
    """
    try:
        with write() as session:
            actor = users.get_actor(session, user_of(request) or "")
            require(actor, Right.LEAD_ROUNDS)
            led = leading.read_led(session, project, round_id)
            leading.require_done(led, actor)
            found = preferences.rows(session, project, round_id=round_id)
            preferences.record_export(session, actor, project, found, round_id=round_id)
            name = _file_name(led.round.title)
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    disposition = {"Content-Disposition": f'attachment; filename="preferences-{name}.jsonl"'}
    return Response(preferences.lines(found), media_type="application/jsonl", headers=disposition)


@router.get("/results/{evaluation_id}/predictions.{suffix}")
def download_predictions(evaluation_id: int, suffix: str, request: Request) -> Response:
    """The predictions that the address names, as JSONL or CSV. 403 without the right to read and for a task
    under a data-use agreement, 404 where there are none such, 422 for a filter that cannot be.
    """
    if suffix not in prediction_files.SUFFIXES:
        return JSONResponse({"detail": "Take them as csv or jsonl."}, status_code=404)
    try:
        with read() as session:
            require(users.get_actor(session, user_of(request) or ""), Right.READ)
            pair, browsing = prediction_files.asked_for(session, evaluation_id, request.query_params)
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    except ValueError as error:
        return JSONResponse({"detail": str(error)}, status_code=422)
    name = _file_name(prediction_files.stem_of(pair))
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    media_type = "text/csv" if suffix == "csv" else "application/jsonl"
    pieces = prediction_files.pieces(pair, browsing, suffix)
    return StreamingResponse(pieces, media_type=media_type, headers=disposition)


@router.get("/batches/{job_id}/answers.{suffix}")
def download_answers(job_id: int, suffix: str, request: Request, project: int) -> Response:
    """The answers of a batch as JSONL or CSV, without those that this person is still to judge blind.

    403 without the right to compare, 404 where the project has no such batch.
    """
    if suffix not in batch_export.SUFFIXES:
        return JSONResponse({"detail": "Take them as csv or jsonl."}, status_code=404)
    try:
        with read() as session:
            actor = users.get_actor(session, user_of(request) or "")
            require(actor, Right.COMPARE)
            job = batches.find(session, project, job_id)
            titles = batches.titles(session, job)
            hidden = assignments.still_blind(session, actor, job.project_id)
            found = batch_figures.read(session, job.id, len(titles)).rows
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    rows = [row for row in found if row.comparison.id not in hidden]
    disposition = {"Content-Disposition": f'attachment; filename="{_file_name(job.name)}.{suffix}"'}
    media_type = "text/csv" if suffix == "csv" else "application/jsonl"
    pieces = batch_export.pieces(rows, titles, suffix)
    return StreamingResponse(pieces, media_type=media_type, headers=disposition)


@router.get("/downloads/{token}/{name}")
def download_file(token: str, name: str, request: Request) -> Response:
    """A file that was made for this person, in pieces. 404 for anybody else, and when its day is over.

    An export is written into the audit here: when its rows leave.
    """
    try:
        with read() as session:
            actor = users.get_actor(session, user_of(request) or "")
            require(actor, Right.READ)
        path = outgoing.find(actor, token, name)
        if export := outgoing.export_of(path):
            with write() as session:
                record_export(session, users.get_actor(session, actor.username), *export)
    except PolicyError as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, status_code=404)
    return FileResponse(path, filename=name, media_type="application/octet-stream")


def _pieces(version_id: int) -> Iterator[str]:
    with read() as session:
        lines = datasets.export_lines(session, version_id)
        while piece := list(islice(lines, LINES_A_PIECE)):
            yield "\n".join(piece) + "\n"


def _file_name(text: str) -> str:
    """`text` with nothing in it that a header or a file system could mistake."""
    return "".join(mark if (mark.isascii() and mark.isalnum()) or mark in "-_" else "-" for mark in text)
