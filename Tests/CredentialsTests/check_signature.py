"""Answers one request, and says whether its signature is the one that botocore computes for it."""
import http.server
import os
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

verdict = "no request"


class FixedTime(SigV4Auth):
    """Signs with the time and the headers of the request that came."""

    def __init__(self, credentials, timestamp, signed):
        super().__init__(credentials, "secretsmanager", "eu-central-1")
        self.timestamp, self.signed = timestamp, signed

    def headers_to_sign(self, request):
        headers = super().headers_to_sign(request)
        for name in list(headers.keys()):
            if name.lower() not in self.signed:
                del headers[name]
        return headers


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global verdict
        body = self.rfile.read(int(self.headers["Content-Length"]))
        given = self.headers["Authorization"]
        signed = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        request = AWSRequest("POST", f"http://{self.headers['Host']}/", data=body, headers=dict(self.headers.items()))
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = FixedTime(Credentials("AKIATEST", "secret"), self.headers["X-Amz-Date"], signed)
        canonical = auth.canonical_request(request)
        signature = auth.signature(auth.string_to_sign(request, canonical), request)
        needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if "X-Amz-Security-Token" in self.headers else set())
        if not needed <= set(signed):
            verdict = f"not signed: {sorted(needed - set(signed))}"
        elif f"Signature={signature}" not in given:
            verdict = f"wrong: {given} for {canonical}"
        else:
            verdict = "right"
        answer = b'{"SecretString":"signed"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.timeout = 30
with open(os.path.join(sys.argv[1], "part"), "w") as file:
    file.write(str(server.server_port))
os.rename(os.path.join(sys.argv[1], "part"), os.path.join(sys.argv[1], "port"))
server.handle_request()
print(verdict)
