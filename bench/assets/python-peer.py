"""Times get-state calls of python-libvirt: the argument is a URI, each line of input a number of calls and of threads, each of output JSON."""

import json
import platform
import sys
import threading
import time

import libvirt


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def one_by_one(domain, calls):
    now = time.perf_counter_ns
    samples = []
    for _ in range(calls):
        started = now()
        domain.state()
        samples.append(now() - started)
    return {"samplesNs": samples}


def at_once(domain, calls, threads):
    def work():
        for _ in range(calls // threads):
            domain.state()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter_ns()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"durationNs": time.perf_counter_ns() - started}


def main():
    connection = libvirt.open(sys.argv[1])
    domain = connection.lookupByName("test")
    answer({"python": platform.python_version(), "libvirt": libvirt.getVersion()})
    for line in sys.stdin:
        calls, threads = (int(word) for word in line.split())
        answer(one_by_one(domain, calls) if threads == 1 else at_once(domain, calls, threads))
    connection.close()


main()
