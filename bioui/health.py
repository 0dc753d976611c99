"""GET /healthz: is the database there, does a worker live, is a model server up. Needs no login."""

import logging

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from db import processes
from db.enums import ProcessRole
from db.session import DatabaseError, read

router = APIRouter()
log = logging.getLogger(__name__)


@router.get("/healthz")
def healthz() -> JSONResponse:
    """200 while the database answers, 503 when it does not."""
    try:
        with read() as session:
            worker = processes.find_alive(session, ProcessRole.WORKER)
            server = processes.find_alive(session, ProcessRole.MODEL_SERVER)
    except DatabaseError as error:
        log.error("healthz: %s", error)
        return JSONResponse({"status": "failing", "database": "unreachable"}, status_code=503)
    return JSONResponse(
        {
            "status": "ok",
            "database": "ok",
            "worker": "ok" if worker else "none",
            "model_server": "ok" if server else "none",
        }
    )
