# %% [markdown]
# # A cohort over plain HTTP
#
# Searches, builds a cohort, counts it, and loads its table and its embeddings into data frames. Nothing but the standard library
# speaks HTTP here; numpy and pandas hold the result. The cells run in Jupyter, VS Code and Spyder, or all at once:
#
#     THORAX_URL=http://127.0.0.1:8750 THORAX_TOKEN=thx_... python tests/http/cohort.py
#
# On loopback without tokens, `THORAX_TOKEN` is not needed. `thorax token create NAME --role researcher` makes one. The routes are
# described at `/api/v1/openapi.json`. Not for diagnosis.

# %%
import io
import json
import os
import urllib.error
import urllib.request

import numpy as np
import pandas as pd

URL = os.environ.get("THORAX_URL", "http://127.0.0.1:8750").rstrip("/")
TOKEN = os.environ.get("THORAX_TOKEN")


def ask(method, path, body=None):
    """The answer's bytes. What is looked for is in the body, never in the address."""
    request = urllib.request.Request(f"{URL}/api/v1{path}", method=method)
    if TOKEN:
        request.add_header("Authorization", f"Bearer {TOKEN}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {json.load(error)['message']}")


def get(path):
    return json.loads(ask("GET", path))


def post(path, body):
    return json.loads(ask("POST", path, body) or "null")


# %% [markdown]
# ## Search
# A score orders the results of one search; it is not a probability.

# %%
answer = post("/search", {"text": "left pleural effusion, no pneumothorax", "k": 5, "explain": True})
print("understood:", [(f["observation"], f["polarity"], f["side"]) for f in answer["query"]["understood"]])
for hit in answer["results"]:
    print(f"{hit['rank']:>3}  {hit['score']:+.3f}  {(hit['snippet'] or {}).get('text')}")

# %% [markdown]
# ## Counts under a filter
# Exact, and of all studies that pass.

# %%
counted = post("/facets", {"filter": 'finding:"Pleural Effusion"', "fields": ["sex", "age", "left", "right"]})
facets = {facet["field"]: pd.Series({v["value"]: v["count"] for v in facet["values"]}) for facet in counted["facets"]}
print(counted["total"], "studies state an effusion")
print(facets["age"].to_string())

# %% [markdown]
# ## A cohort
# It keeps how it came about: query, filter, generation of the index and fingerprint of the model.

# %%
NAME = "python-example"
if any(cohort["name"] == NAME for cohort in get("/cohorts")["cohorts"]):
    ask("DELETE", f"/cohorts/{NAME}")
cohort = post("/cohorts", {
    "name": NAME,
    "note": "left effusions, by the notebook",
    "select": {"text": "left pleural effusion", "take": "all"},
})
view = get(f"/cohorts/{NAME}")
print(view["studies"], "studies of", view["summary"]["patients"], "patients; digest", view["digest"][:12])

# %% [markdown]
# ## Into data frames
# The table has a row for each study, the matrix one for each film; the rows' file says which is whose.

# %%
table = pd.read_csv(io.BytesIO(ask("GET", f"/cohorts/{NAME}/export?format=csv")))
rows = pd.read_csv(io.BytesIO(ask("GET", f"/cohorts/{NAME}/embeddings?part=rows")))
vectors = np.load(io.BytesIO(ask("GET", f"/cohorts/{NAME}/embeddings?part=vectors")))
films = rows.merge(table, on="study", how="left").set_index("item")
embeddings = pd.DataFrame(vectors, index=films.index)
print(films[["study", "age", "sex", "view", "Pleural Effusion"]].head().to_string())
print("embeddings:", embeddings.shape, "norms", np.linalg.norm(vectors, axis=1).round(4).min())

# %% [markdown]
# ## Would it come out the same today?

# %%
verified = post(f"/cohorts/{NAME}/verify", {})
print("the same today:", verified["same"])

# what the cells above promise, for who runs this as a script
assert len(table) == view["studies"] == cohort["studies"] > 0
assert len(films) == len(vectors) == len(rows) >= len(table)
assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
assert (table["Pleural Effusion"] == 1).all() and table["left"].str.contains("Pleural Effusion").all()
assert verified["same"]
