package support

const SharedModel = "gpt-5"

type Model string

const (
	Router Model = "gpt-4.1"
)

type Settings struct {
	SummaryModel string
}

var settings = Settings{SummaryModel: "gpt-4.1-mini"}
