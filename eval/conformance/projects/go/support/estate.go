package support

// Agent is somebody who sells houses.
type Agent struct {
	Name, Model string
}

var decoy = Agent{Name: "decoy", Model: "decoy-model"}
