package whisk

// Exec is what an action runs.
type Exec struct {
	Kind   string `json:"kind"`            // resolved: "nodejs:20", never "nodejs:default"; or "blackbox"
	Code   Digest `json:"code,omitzero"`   // digest of the code's text as sent (base64 included); zero: no code
	Size   int64  `json:"size,omitempty"`  // bytes of that text
	Binary bool   `json:"binary"`          // the text is base64
	Main   string `json:"main,omitempty"`  // "" is the runtime's default
	Image  string `json:"image,omitempty"` // kind blackbox only

	Components []ActionName `json:"components,omitempty"` // kind sequence only; as named, so maybe through bindings
}

// Action is an action as stored, without its code. Actions are shared between
// requests: once stored or loaded, nobody changes one.
type Action struct {
	Name        ActionName `json:"name"`
	Version     Version    `json:"version"`
	Exec        Exec       `json:"exec"`
	Parameters  Parameters `json:"parameters"`
	Annotations Parameters `json:"annotations"`
	Limits      Limits     `json:"limits"`
	Instances   *int64     `json:"instances,omitempty"` // the limit of that name, kept for clients; nil if none was given
	Publish     bool       `json:"publish"`
	Updated     int64      `json:"updated"` // ms since the epoch

	// Revision is the store's: it grows with each write of the entity and
	// never returns, even when the entity is deleted and created again.
	Revision int64 `json:"-"`
}
