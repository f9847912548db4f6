package shop.support;

import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor;
import dev.langchain4j.store.embedding.chroma.ChromaEmbeddingStore;

public class Search {
    EmbeddingStoreIngestor ingestor() {
        OpenAiEmbeddingModel embeddings = OpenAiEmbeddingModel.builder().modelName("text-embedding-3-small").build();
        ChromaEmbeddingStore store = ChromaEmbeddingStore.builder().collectionName("manuals").build();
        return EmbeddingStoreIngestor.builder().embeddingModel(embeddings).embeddingStore(store).build();
    }
}
