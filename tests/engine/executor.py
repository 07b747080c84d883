"""Carries out the plan on its standard input, of `gordon plan --format json`, step after step."""
import json
import signal
import subprocess
import time
from fnmatch import fnmatchcase as matches

plan, done, stopping = json.load(open(0)), set(), []
assert plan["version"] == 1, "a plan of another gordon"
signal.signal(signal.SIGINT, lambda *_: stopping.append(True))


def docker(argv, stdin=None, limit_seconds=30, **_):  # Ctrl-C does not reach what `timeout` runs
    call = subprocess.run(["timeout", str(limit_seconds), *argv], cwd=plan["folder"],
                          input=stdin or "", text=True, capture_output=True)
    return not call.returncode, (call.stderr if call.returncode else call.stdout).strip()


def wait(argv, ready, then, fatal, answers, first_seconds, every_seconds, timeout_seconds, start_seconds, retries, lapses):
    begin, good, bad, pause = time.monotonic(), 0, 0, first_seconds
    while good < answers:
        time.sleep(pause)
        answer, age, pause = docker(argv)[1], time.monotonic() - begin, every_seconds
        is_good = matches(answer, ready) and (not then or docker(then)[1] == "ready")
        good, bad = (good + 1, 0) if is_good else (0, bad + (age >= start_seconds))
        is_late = stopping or age > timeout_seconds or bad == retries
        if not good and (is_late or any(matches(answer, p) for p in fatal)):
            return lapses and not stopping, answer
    return True, answer


for step in plan["steps"]:
    if done.issuperset(step["needs"]) and (step["uninterruptible"] or not stopping):
        fine, answer = wait(**step["probe"]) if step["probe"] else docker(**step)
        print(step["id"], step["title"], "" if fine else answer)
        if fine or step["accepts"] and matches(answer, step["accepts"]):
            done.add(step["id"])
        for undo in [] if step["id"] in done or (stopping and step["probe"]) else step["undo"]:
            docker(**undo)
raise SystemExit(len(done) < len(plan["steps"]) or bool(plan["blocked"]))
