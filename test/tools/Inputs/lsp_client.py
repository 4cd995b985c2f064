"""Talks to a language server as an editor does and prints what comes back.

usage: lsp_client.py SERVER FILE LINE COLUMN

Opens FILE, prints its diagnostics, then the hover text at LINE and COLUMN,
both counted from 0.
"""

import json
import subprocess
import sys


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.next_id = 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body))
        self.process.stdin.write(body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def receive(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("error: the server has closed its output")
            line = line.strip()
            if not line:
                break
            name, value = line.split(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self.process.stdout.read(length))

    def request(self, method, params):
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.next_id:
                return message["result"]

    def await_notification(self, method):
        while True:
            message = self.receive()
            if message.get("method") == method:
                return message["params"]


def main():
    path, line, column = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    with open(path) as file:
        text = file.read()
    uri = "file://" + path
    server = Server([sys.argv[1]])
    capabilities = server.request("initialize", {
        "processId": None, "rootUri": None, "capabilities": {}})
    print("hover provider:", capabilities["capabilities"]["hoverProvider"])
    server.notify("initialized", {})
    server.notify("textDocument/didOpen", {"textDocument": {
        "uri": uri, "languageId": "mlir", "version": 1, "text": text}})
    report = server.await_notification("textDocument/publishDiagnostics")
    for diagnostic in report["diagnostics"]:
        start = diagnostic["range"]["start"]
        print(f"diagnostic {start['line']}:{start['character']}: "
              f"{diagnostic['message']}")
    print(f"{len(report['diagnostics'])} diagnostics")
    hover = server.request("textDocument/hover", {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": column}})
    print("hover:", hover["contents"]["value"] if hover else "nothing")
    server.request("shutdown", None)
    server.notify("exit", None)
    print("exit status:", server.process.wait(timeout=60))


if __name__ == "__main__":
    main()
