use anyhow::Result;
use qdrant_client::qdrant::QueryPointsBuilder;
use qdrant_client::Qdrant;
use rig::client::{EmbeddingsClient, ProviderClient};
use rig::providers::openai;
use rig_qdrant::QdrantVectorStore;

pub fn store() -> Result<QdrantVectorStore<openai::EmbeddingModel>> {
    let client = Qdrant::from_url("http://localhost:6334").build()?;
    let model = openai::Client::from_env().embedding_model("text-embedding-3-small");
    let query = QueryPointsBuilder::new("manuals").with_payload(true);
    Ok(QdrantVectorStore::new(client, model, query.build()))
}
