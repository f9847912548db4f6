"""Put the handbook and the sick-leave table into the index."""

from pathlib import Path

import chromadb
import pandas as pd

handbook = chromadb.HttpClient(host="chroma", port=8000).get_or_create_collection("handbook")

for page in Path("handbook").glob("*.md"):
    handbook.upsert(ids=[page.stem], documents=[page.read_text(encoding="utf-8")])

leave = pd.read_csv("data/sick_leave.csv")
handbook.upsert(ids=[f"leave-{n}" for n in leave.index], documents=leave.astype(str).agg(", ".join, axis=1).tolist())
