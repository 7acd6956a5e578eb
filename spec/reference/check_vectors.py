#!/usr/bin/env python3
"""check_vectors.py FOLDER: runs unseal.py over every vector in one process and prints what differs from its header."""
import hashlib
import sys
from pathlib import Path

import mlkem768
import unseal

expanded = {}
plain_expand = mlkem768.expand


def remembered_expand(d):
    """The vectors use two keys hundreds of times; plain Python takes a moment to expand each."""
    if d not in expanded:
        expanded[d] = plain_expand(d)
    return expanded[d]


def outcome(archive, passphrase, seed):
    digest = hashlib.sha256()
    frames = unseal.unseal(archive, passphrase, seed)
    try:
        while True:
            digest.update(next(frames))
    except StopIteration:
        return "success", digest.hexdigest()
    except unseal.Refused as refusal:
        return str(refusal).split(":", maxsplit=1)[0], digest.hexdigest()


def main():
    mlkem768.expand = remembered_expand
    shared = {}
    plain_decapsulate = mlkem768.decapsulate

    def remembered_decapsulate(d, z, ciphertext):
        if (d, ciphertext) not in shared:
            shared[d, ciphertext] = plain_decapsulate(d, z, ciphertext)
        return shared[d, ciphertext]

    mlkem768.decapsulate = remembered_decapsulate
    names, wrong = sorted(Path(sys.argv[1]).glob("*.txt")), 0
    for name in names:
        head, _, archive = name.read_bytes().partition(b"\n\n")
        fields = dict(line.split(": ", maxsplit=1) for line in head.decode("utf-8").split("\n"))
        seed = unseal.parse_secret(fields["secret"]) if "secret" in fields else None
        got, digest = outcome(archive, fields.get("passphrase"), seed)
        expected = "success" if fields["unseal"] == "success" else fields["expect"]
        if (got, digest) != (expected, fields["plaintext-sha256"]):
            wrong += 1
            print(f"{name.stem}: {got}, expected {expected}" + ("" if got != expected else ", with other bytes"))
    print(f"{len(names)} vectors, {wrong} differ")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main())
