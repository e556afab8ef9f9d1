"""Times get-state calls of python-libvirt: the argument is a URI, each line of input a number of calls, each of output JSON."""

import json
import platform
import sys
import time

import libvirt


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main():
    connection = libvirt.open(sys.argv[1])
    domain = connection.lookupByName("test")
    answer({"python": platform.python_version(), "libvirt": libvirt.getVersion()})
    now = time.perf_counter_ns
    for line in sys.stdin:
        samples = []
        for _ in range(int(line)):
            started = now()
            domain.state()
            samples.append(now() - started)
        answer({"samplesNs": samples})
    connection.close()


main()
