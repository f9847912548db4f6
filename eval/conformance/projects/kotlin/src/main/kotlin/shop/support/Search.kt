package shop.support

import dev.langchain4j.model.openai.OpenAiEmbeddingModel
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor
import dev.langchain4j.store.embedding.chroma.ChromaEmbeddingStore

fun ingestor(): EmbeddingStoreIngestor {
    val embeddings = OpenAiEmbeddingModel.builder().modelName("text-embedding-3-small").build()
    val store = ChromaEmbeddingStore.builder().collectionName("manuals").build()
    return EmbeddingStoreIngestor.builder().embeddingModel(embeddings).embeddingStore(store).build()
}
