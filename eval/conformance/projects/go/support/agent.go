package support

import (
	"context"
	"io"
	"net/http"
	"os"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
)

type order struct {
	ID string `json:"id"`
}

func lookupOrder(ctx context.Context, o *order) (string, error) {
	answer, err := http.Get("https://orders.internal/v1/" + o.ID)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func refundOrder(ctx context.Context, o *order) (string, error) {
	return o.ID, os.WriteFile("refunds.txt", []byte(o.ID), 0o600)
}

func support(ctx context.Context) (adk.Agent, error) {
	chat, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{Model: "gpt-4o"})
	if err != nil {
		return nil, err
	}
	lookup, err := utils.InferTool("lookup_order", "Look up an order.", lookupOrder)
	if err != nil {
		return nil, err
	}
	refund, err := utils.InferTool("refund_order", "Refund an order.", refundOrder)
	if err != nil {
		return nil, err
	}
	return adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
		Name:        "support",
		Instruction: supportPrompt,
		Model:       chat,
		ToolsConfig: adk.ToolsConfig{
			ToolsNodeConfig: compose.ToolsNodeConfig{Tools: []tool.BaseTool{lookup, refund}},
		},
	})
}
