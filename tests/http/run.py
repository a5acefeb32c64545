"""`make http`: the API as others use it, on phantoms, with tokens.

run.py THORAX [--examples N]: runs cohort.py, then schemathesis with the API's own document (no 5xx, no undocumented status, no answer
of another shape), and then looks for report text and patients' ids in everything that the server wrote down.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main(options):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("THORAX_")}

        def thorax(*arguments):
            done = subprocess.run([options.thorax, "--home", home, *arguments], env=clean, capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"thorax {' '.join(arguments)}: {done.stderr}")
            return done.stdout

        thorax("import", "phantom", "--studies", "60", "--size", "128")
        thorax("train", "--preset", "demo", "--steps", "3")
        thorax("index")
        tokens = {role: token(thorax("token", "create", f"a {role}", "--role", role)) for role in ("researcher", "admin")}
        log = Path(folder) / "server.log"
        with open(log, "w") as stderr:
            command = [options.thorax, "--home", home, "serve", "--port", "0"]
            server = subprocess.Popen(command, env=clean, stdout=subprocess.PIPE, stderr=stderr, text=True)
        try:
            url = server.stdout.readline().split()[-1]
            environment = {**clean, "THORAX_URL": url, "THORAX_TOKEN": tokens["researcher"]}
            subprocess.run([sys.executable, HERE / "cohort.py"], env=environment, check=True)
            fuzz(options, url, tokens["admin"])
            request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {tokens['admin']}"})
            with urllib.request.urlopen(request) as answer:
                metrics = answer.read().decode()
            if server.poll() is not None:
                raise SystemExit("the server is gone")
        finally:
            server.terminate()
            server.wait(30)
        said = {"log": log.read_text(), "metrics": metrics}
        said |= {str(path.relative_to(home)): path.read_text(errors="replace") for path in (home / "audit").glob("*.jsonl")}
        backup = Path(folder) / "all.jsonl"
        thorax("backup", str(backup))
        search_for_health_data(said, backup)
        print(thorax("audit", "verify"), end="")


def token(said):
    return re.search(r"thx_\S+", said).group(0)


def fuzz(options, url, admin):
    command = [
        Path(sys.executable).absolute().parent / "schemathesis", "run", f"{url}/api/v1/openapi.json", "--url", url, "--checks", CHECKS,
        "--max-examples", str(options.examples), "--phases", "examples,fuzzing", "--seed", "7", "--generation-database", "none",
        "--header", f"Authorization: Bearer {admin}",
        # it would sign the caller out, and follow jobs to their end
        "--exclude-path", "/api/v1/session", "--exclude-path-regex", "/events$",
    ]
    started = time.time()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    print("\n".join(done.stdout.splitlines()[-40:]))
    if done.returncode != 0:
        raise SystemExit(f"schemathesis: {done.returncode}\n{done.stdout[-20000:]}{done.stderr[-2000:]}")
    print(f"schemathesis: nothing found in {time.time() - started:.0f} s")


def search_for_health_data(said, backup):
    """Sentences of reports and ids of patients and studies must stand nowhere."""
    secrets = set()
    for line in open(backup):
        document = json.loads(line).get("study", {}).get("document")
        if document:
            secrets |= {document["id"], document["group"], document["group"].split("/")[-1]}
            secrets |= {sentence.strip() for sentence in re.split(r"[.\n]", document["text"]) if len(sentence.strip()) > 20}
    if len(secrets) < 100:
        raise SystemExit(f"only {len(secrets)} things to look for: that proves nothing")
    for name, text in said.items():
        if "panicked" in text:
            raise SystemExit(f"{name}: a panic")
        found = [secret for secret in secrets if secret in text]
        if found:
            raise SystemExit(f"{name} holds health data: {found[:3]}")
    if not any(name.startswith("audit") and text for name, text in said.items()) or not said["log"]:
        raise SystemExit("there is no audit log, or no log")
    print(f"no report text and no patient's id in {', '.join(said)}: {len(secrets)} looked for")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("thorax")
    parser.add_argument("--examples", type=int, default=25)
    main(parser.parse_args())
