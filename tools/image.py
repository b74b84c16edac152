#!/usr/bin/env python3
"""Puts a directory into a container image, without a daemon, a registry or a build tool.

    image.py ROOT_DIR OUT.tar NAME:TAG [--entrypoint JSON] [--cmd JSON] [--user U] [--env K=V]...
             [--label K=V]... [--expose PORT/tcp]...

OUT.tar is a docker-archive with one layer, which `docker load`, `podman load` and `ctr images import` take. The same
directory always gives the same bytes: names are sorted, times are zero, everything belongs to root. Permission bits
are those of the files.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import stat
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def entry(name, size=0):
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    return info


def layer(root, out):
    """Writes the directory's content as a tar, parents before their children."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(directory, prefix):
            for name in sorted(os.listdir(directory)):
                path, inside = os.path.join(directory, name), prefix + name
                status = os.lstat(path)
                info = entry(inside)
                info.mode = stat.S_IMODE(status.st_mode)
                if stat.S_ISDIR(status.st_mode):
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                    add(path, inside + "/")
                elif stat.S_ISLNK(status.st_mode):
                    info.type, info.linkname, info.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
                    tar.addfile(info)
                elif stat.S_ISREG(status.st_mode):
                    info.size = status.st_size
                    with open(path, "rb") as content:
                        tar.addfile(info, content)
                else:
                    sys.exit(f"image.py: {path} is neither a file, a directory nor a symbolic link")

        add(root, "")


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as content:
        while chunk := content.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def words(text):
    value = json.loads(text)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError
    return value


def pair(text):
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise ValueError
    return name, value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", metavar="ROOT_DIR")
    parser.add_argument("out", metavar="OUT.tar")
    parser.add_argument("name", metavar="NAME:TAG")
    parser.add_argument("--entrypoint", metavar="JSON", type=words, help="a list of strings")
    parser.add_argument("--cmd", metavar="JSON", type=words, help="a list of strings")
    parser.add_argument("--user", help="name, uid or uid:gid")
    parser.add_argument("--env", metavar="K=V", action="append", default=[])
    parser.add_argument("--label", metavar="K=V", type=pair, action="append", default=[])
    parser.add_argument("--expose", metavar="PORT/tcp", action="append", default=[])
    given = parser.parse_args()
    if ":" not in given.name.rpartition("/")[2]:
        parser.error(f"{given.name} has no tag")
    if not os.path.isdir(given.root):
        parser.error(f"{given.root} is no directory")
    return given


def main():
    given = arguments()
    settings = {"Entrypoint": given.entrypoint, "Cmd": given.cmd, "User": given.user, "Env": given.env}
    settings["Labels"], settings["ExposedPorts"] = dict(given.label), {port: {} for port in given.expose}
    layer_file, image_file = f"{given.out}.layer.{os.getpid()}", f"{given.out}.new.{os.getpid()}"
    try:
        with open(layer_file, "wb") as out:
            layer(given.root, out)
        layer_digest = digest(layer_file)
        config = json.dumps(
            {
                "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": {name: value for name, value in settings.items() if value},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
                "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "image.py"}],
            },
            sort_keys=True,
        ).encode()
        config_name, layer_name = f"{hashlib.sha256(config).hexdigest()}.json", f"{layer_digest}/layer.tar"
        manifest = [{"Config": config_name, "Layers": [layer_name], "RepoTags": [given.name]}]
        with tarfile.open(image_file, "w", format=tarfile.PAX_FORMAT) as tar:
            for name, content in (config_name, config), ("manifest.json", json.dumps(manifest).encode()):
                tar.addfile(entry(name, len(content)), io.BytesIO(content))
            with open(layer_file, "rb") as content:
                tar.addfile(entry(layer_name, os.path.getsize(layer_file)), content)
        # Whoever reads OUT.tar sees either the former image or all of this one.
        os.replace(image_file, given.out)
    finally:
        for leftover in layer_file, image_file:
            if os.path.exists(leftover):
                os.remove(leftover)


main()
