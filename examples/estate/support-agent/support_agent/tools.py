"""What the support agent can do."""

import httpx
from agents import function_tool
from qdrant_client import QdrantClient
from sentence_transformers import SentenceTransformer

from support_agent.settings import settings

encoder = SentenceTransformer("BAAI/bge-m3")
qdrant = QdrantClient(url=settings.qdrant_url)


@function_tool
def lookup_customer(email: str) -> dict:
    """Look up a customer and the last three orders by e-mail address."""
    return httpx.get(f"{settings.orders_url}/customers", params={"email": email}, timeout=5).json()


@function_tool
def search_tickets(question: str) -> list[str]:
    """Find old tickets about the same problem."""
    vector = encoder.encode(question).tolist()
    found = qdrant.query_points(collection_name=settings.ticket_collection, query=vector, limit=5)
    return [point.payload["text"] for point in found.points]


@function_tool
def credit_account(customer_id: str, cents: int, reason: str) -> str:
    """Credit a customer's account, up to 20 euros."""
    answer = httpx.post(
        f"{settings.orders_url}/credits",
        json={"customer": customer_id, "cents": min(cents, 2000), "reason": reason},
        timeout=5,
    )
    return answer.text
