"""Write the settings that count.py waits for to the file SETTINGS, and end."""

import json
import os
import pathlib

if __name__ == "__main__":
    path = pathlib.Path(os.environ["SETTINGS"])
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps({"unit": "flights"}))
    aside.rename(path)
    print(f"wrote {path.name}", flush=True)
