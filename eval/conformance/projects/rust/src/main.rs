mod agent;
mod ask;
mod config;
mod estate;
mod local;
mod prompts;
mod search;
mod server;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    ask::constant("Where is my order?").await?;
    server::serve().await
}
