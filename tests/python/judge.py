"""Says what the Python client's parsers make of texts: a JSON object a line in, one a line out."""

import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

for line in sys.stdin:
    asked = json.loads(line)
    read = openmetrics if asked["openmetrics"] else parser
    try:
        families = list(read.text_string_to_metric_families(asked["text"]))
        said = {"samples": sum(len(family.samples) for family in families)}
    except Exception as error:  # Any of them is a refusal; the parsers raise several kinds.
        said = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
