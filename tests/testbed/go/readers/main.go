// Reads files as the programs do that the operator writes them for: an env file as Docker Compose, YAML as Helm. It reads
// one JSON object with "syntax" and "text" per line, and writes one JSON object for each, with "content" or "error".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"sigs.k8s.io/yaml"
)

type file struct {
	Syntax string `json:"syntax"`
	Text   string `json:"text"`
}

type answer struct {
	Content any    `json:"content,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		content, err := read(lines.Bytes())
		result := answer{Content: content}
		if err != nil {
			result = answer{Error: err.Error()}
		}
		if err := answers.Encode(result); err != nil {
			end(err)
		}
	}
	if err := lines.Err(); err != nil {
		end(err)
	}
}

func read(line []byte) (any, error) {
	var given file
	if err := json.Unmarshal(line, &given); err != nil {
		return nil, err
	}
	switch given.Syntax {
	case "dotenv":
		// No variable is defined, so one that is expanded shows as an empty text.
		return dotenv.UnmarshalWithLookup(given.Text, func(string) (string, bool) { return "", false })
	case "yaml":
		var content any
		err := yaml.Unmarshal([]byte(given.Text), &content)
		return content, err
	default:
		return nil, fmt.Errorf("unknown syntax %q", given.Syntax)
	}
}

func end(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
