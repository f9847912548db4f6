package support

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func local(ctx context.Context) {
	own := openai.NewClient(option.WithBaseURL("http://llm.internal:8000/v1"), option.WithAPIKey("unused"))
	own.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "llama-3.3-70b-instruct",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")},
	})
}
