use anyhow::Result;
use async_openai::config::OpenAIConfig;
use async_openai::types::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs};
use async_openai::Client;

pub async fn answer() -> Result<()> {
    let config = OpenAIConfig::new()
        .with_api_base("http://llm.internal:8000/v1")
        .with_api_key("unused");
    let local = Client::with_config(config);
    let request = CreateChatCompletionRequestArgs::default()
        .model("llama-3.3-70b-instruct")
        .messages(vec![ChatCompletionRequestUserMessageArgs::default()
            .content("hi")
            .build()?
            .into()])
        .build()?;
    local.chat().create(request).await?;
    Ok(())
}
