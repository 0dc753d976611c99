"""A Hub of our own on loopback, with the few routes that a push uses: it keeps what it is sent."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeHub:
    """`files` is what the repository holds; `refuses` an HTTP status to answer everything with.

    `is_private` is how the repository stands, whatever a push asks for.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.created: list[dict] = []
        self.tokens: set[str] = set()
        self.requests = 0
        self.refuses = 0
        self.is_private = True
        self._objects: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        path = path.split("?")[0]
        if self.refuses:
            return self.refuses, {"error": "no"}
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return 200, {"url": f"{self.url}/datasets/ward/questions"}
        if path == "/api/validate-yaml":  # of the card, before it is sent
            return 200, {"errors": [], "warnings": []}
        if path in ("/api/datasets/ward/questions", "/api/models/ward/questions"):
            return 200, {"id": "ward/questions", "private": self.is_private, "tags": [], "siblings": []}
        if path.endswith("/tree/main"):
            return 200, [
                {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
                for name, data in self.files.items()
            ]
        if path.endswith("/preupload/main"):
            modes = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith((".parquet", ".safetensors")) else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            return 200, {"files": modes}
        if path.endswith("/info/lfs/objects/batch"):
            return 200, {"transfer": "basic", "objects": list(map(self._place, json.loads(body)["objects"]))}
        if method == "PUT" and path.startswith("/store/"):
            assert hashlib.sha256(body).hexdigest() == path.removeprefix("/store/")
            self._objects[path.removeprefix("/store/")] = body
            return 200, {}
        if path.endswith("/commit/main"):
            for line in body.splitlines():
                self._commit(json.loads(line))
            page = f"{self.url}/datasets/ward/questions/commit/c0ffee"
            return 200, {"commitUrl": page, "commitOid": "c0ffee", "pullRequestUrl": None}
        return 404, {"error": path}

    def _place(self, asked: dict) -> dict:
        upload = {"href": f"{self.url}/store/{asked['oid']}", "header": {}}
        return {"oid": asked["oid"], "size": asked["size"], "actions": {"upload": upload}}

    def _commit(self, line: dict) -> None:
        key, value = line["key"], line["value"]
        if key == "file":
            self.files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            self.files[value["path"]] = self._objects[value["oid"]]
        elif key == "deletedFile":
            del self.files[value["path"]]

    def _handler(self):
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hub.requests += 1
                hub.tokens.add(self.headers.get("Authorization", ""))
                status, answer = hub.answer(self.command, self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_HEAD = _do

            def log_message(self, *args) -> None:
                pass

        return Handler
