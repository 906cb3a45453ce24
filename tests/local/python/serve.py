"""Serves S3 and Step Functions (moto) on a free loopback port, which it prints, until it is killed.

Calls that the state machine makes go to MOTO_PORT.
"""

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class QuietHandler(MotoRequestHandler):
    """Logs no line for each request."""

    def log_request(self, *_):
        pass


app = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, app, True, request_handler=QuietHandler)
print(server.server_address[1], flush=True)
server.serve_forever()
