#!/usr/bin/env python3
"""Carries out a plan that `gordon plan --format json` has just made, as `gordon apply` does. Asks no facts again."""
import json, re, signal, subprocess, sys, threading, time

plan = json.load(open(sys.argv[1]))
assert plan["version"] == 1, "a plan of another gordon"
stopping, jobs, ended, turn = threading.Event(), threading.Semaphore(4), {}, threading.Condition()
signal.signal(signal.SIGINT, lambda *_: stopping.set())  # docker runs in sessions of its own, and goes on

def docker(argv, stdin="", limit=30):
    try:
        call = subprocess.run(argv, input=stdin, text=True, capture_output=True, cwd=plan["folder"], timeout=limit, start_new_session=True)
    except subprocess.TimeoutExpired:
        return False, "no end in time"
    return call.returncode == 0, (call.stdout if call.returncode == 0 else call.stderr).strip()

def matches(answer, patterns):  # `*` matches anything
    return any(re.fullmatch(".*".join(map(re.escape, p.split("*"))), answer, re.DOTALL) for p in patterns)

def wait(probe):
    begin, since = time.monotonic(), None
    while True:
        answer = docker(probe["argv"])[1]
        if matches(answer, probe["fatal"]): return False, answer
        ready = matches(answer, [probe["ready"]]) and (not probe["then"] or docker(probe["then"])[1] == "ready")
        now = time.monotonic()
        since = (since or now) if ready else None
        if since and now - since >= probe["hold_seconds"]: return True, answer
        if now - begin >= probe["timeout_seconds"] or stopping.is_set(): return False, answer
        time.sleep(probe["every_seconds"])

def declares_only(known, image):
    fine, answer = docker([*plan["docker"], "image", "inspect", "--format", "{{json .Config.Volumes}}", image])
    return fine and all(path.rstrip("/") in known for path in json.loads(answer) or {}), answer

def do(step):
    if step["probe"]: return wait(step["probe"])
    if step["known_volumes"] is not None: return declares_only(step["known_volumes"], step["name"])
    with jobs: return docker(step["argv"], step["stdin"] or "", step["limit_seconds"])

def run(step):
    with turn: turn.wait_for(lambda: all(number in ended for number in step["needs"] + step["after"]))
    end = "skipped" if any(ended[number] != "done" for number in step["needs"]) else "left"
    if end == "left" and (step["uninterruptible"] or not stopping.is_set()):
        fine, answer = do(step)
        fine = fine or "is not paused" in answer  # what could not be paused goes on
        end = "done" if fine or step["dispensable"] else "left" if step["probe"] and stopping.is_set() else "failed"
        for undo in step["undo"] if end == "failed" else []: docker(undo["argv"], limit=undo["limit_seconds"])
        print(step["id"], step["title"], end, "" if fine else answer, file=sys.stderr)
    with turn:
        ended[step["id"]] = end
        turn.notify_all()

threads = [threading.Thread(target=run, args=[step]) for step in plan["steps"]]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(0 if all(end == "done" for end in ended.values()) and not plan["blocked"] else 1)
