using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.SemanticKernel.Connectors.Qdrant;
using OpenAI;
using Qdrant.Client;

namespace Shop.Support;

public static class Search
{
    public static VectorStore Manuals(OpenAIClient client)
    {
        var embeddings = client.GetEmbeddingClient("text-embedding-3-small").AsIEmbeddingGenerator();
        return new QdrantVectorStore(
            new QdrantClient("localhost"), ownsClient: true, new() { EmbeddingGenerator = embeddings });
    }
}
