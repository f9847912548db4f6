package support

import (
	"context"
	"fmt"
	"os"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

const model = "gpt-4o"
const family = "sonnet"

var models = map[string]string{"cheap": "gpt-3.5-turbo"}

var client = openai.NewClient()
var claude = anthropic.NewClient()

func constant(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: model})
}

func concatenation(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: model + "-mini"})
}

func template(ctx context.Context) {
	claude.Messages.New(ctx, anthropic.MessageNewParams{
		Model:     anthropic.Model(fmt.Sprintf("claude-%s-4-5", family)),
		MaxTokens: 100,
	})
}

func enumerated(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: string(Router)})
}

func configured(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: settings.SummaryModel})
}

func fromEnvironment(ctx context.Context) {
	name := os.Getenv("TRIAGE_MODEL")
	if name == "" {
		name = "gpt-4.1-nano"
	}
	client.Responses.New(ctx, responses.ResponseNewParams{Model: name})
}

func fromFile(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: os.Getenv("SUPPORT_MODEL")})
}

func fromCompose(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: os.Getenv("REASONING_MODEL")})
}

func imported(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: SharedModel})
}

type Classifier struct {
	model string
}

func NewClassifier() *Classifier {
	c := &Classifier{}
	c.model = "gpt-5-mini"
	return c
}

func (c *Classifier) Classify(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: c.model})
}

func defaulted(ctx context.Context) {
	defaultedWith(ctx, "gpt-5-nano")
}

func defaultedWith(ctx context.Context, name string) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: name})
}

func passed(ctx context.Context, name string) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: name})
}

func caller(ctx context.Context) {
	passed(ctx, "gpt-4-turbo")
}

func chosen(ctx context.Context) {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: models["cheap"]})
}

// client.Responses.New(ctx, responses.ResponseNewParams{Model: "gpt-4-32k"})
