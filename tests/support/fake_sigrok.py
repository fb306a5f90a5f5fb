"""In the place of sigrok-cli: asks a test's own bench for what an analyser would have recorded.

`python fake_sigrok.py SOCKET ...sigrok-cli's arguments`: see wired_served.
"""

import json
import socket
import sys


def main():
    place, *words = sys.argv[1:]
    value = {words[k]: words[k + 1] for k in range(len(words) - 1)}
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(place)
        asked = {"show": "--show" in words}
        if not asked["show"]:
            settings = dict(one.split("=") for one in value["-c"].split(":") if "=" in one)
            asked |= {"channels": value["-C"].split(","), "samples": int(value["--samples"]),
                      "rate_hz": int(settings["samplerate"]), "path": value["-o"]}  # fmt: skip
        link.sendall(json.dumps(asked).encode() + b"\n")
        for line in link.makefile():
            told = json.loads(line)
            print(told.get("out", ""), end="", flush=True)
            print(told.get("err", ""), end="", file=sys.stderr, flush=True)
            if "code" in told:
                sys.exit(told["code"])
    sys.exit(1)


main()
