module shop.example/support

go 1.23

require (
	github.com/anthropics/anthropic-sdk-go v1.13.0
	github.com/cloudwego/eino v0.5.0
	github.com/cloudwego/eino-ext/components/model/openai v0.1.0
	github.com/mark3labs/mcp-go v0.41.0
	github.com/openai/openai-go/v3 v3.2.0
	github.com/tmc/langchaingo v0.1.13
)
