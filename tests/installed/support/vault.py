#!/usr/bin/env python3
"""Plays the program vault: what the pages type in are calls of the API of a real server."""
import json, os, ssl, sys, urllib.request

def call(method, path, body=None):
    request = urllib.request.Request(
        os.environ["VAULT_ADDR"] + "/v1/" + path, json.dumps(body).encode(), {"X-Vault-Token": os.environ["VAULT_TOKEN"]}, method=method)
    context = ssl.create_default_context(cafile=os.environ["VAULT_CACERT"])
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    with urllib.request.build_opener(*handlers).open(request) as answer:
        return answer.read()

match sys.argv[1:]:
    case ["policy", "write", name, file]:
        call("PUT", "sys/policies/acl/" + name, {"policy": open(file).read()})
    case ["write", path, *pairs]:
        call("PUT", path, dict(pair.split("=", 1) for pair in pairs))
    case words:
        sys.exit(f"vault {' '.join(words)} is not played here")
