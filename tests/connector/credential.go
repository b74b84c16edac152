package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A credential as the connector found it, and where.
type credential struct {
	source   string
	tokenURL string
	clientID string
	secret   string
}

// The three values of a credential: the variable that a manifest sets by secretKeyRef or $(key), and the key of the
// Secret, which is the name of a mounted file and of the variable that a bare envFrom makes.
var values = []struct{ variable, key string }{
	{"OAUTH_TOKEN_URL", "token-url"},
	{"OAUTH_CLIENT_ID", "client-id"},
	{"OAUTH_CLIENT_SECRET", "client-secret"},
}

// readCredential reads what the environment names: a mounted Secret, OAUTH_… variables, or those of a bare
// envFrom. What it could read is returned with an error too, for the report.
func readCredential(env func(string) string) (credential, *failure) {
	var found [3]string
	source, missing := "envFrom", []string{}
	directory := env("CREDENTIALS_DIR")
	switch {
	case directory != "":
		source = "files"
		// The kubelet changes a mounted Secret by pointing ..data to another directory: read all three from one.
		if real, err := filepath.EvalSymlinks(filepath.Join(directory, "..data")); err == nil {
			directory = real
		}
		for i, value := range values {
			text, err := os.ReadFile(filepath.Join(directory, value.key))
			if err != nil || len(text) == 0 {
				missing = append(missing, "file "+value.key)
			}
			found[i] = string(text)
		}
	default:
		for _, value := range values {
			if env(value.variable) != "" {
				source = "env"
			}
		}
		for i, value := range values {
			name := value.key
			if source == "env" {
				name = value.variable
			}
			found[i] = env(name)
			if found[i] == "" {
				missing = append(missing, "variable "+name)
			}
			// The kubelet leaves a reference as it is when there is nothing of that name.
			if strings.HasPrefix(found[i], "$(") && strings.HasSuffix(found[i], ")") {
				missing = append(missing, fmt.Sprintf("variable %s, whose reference was not resolved", name))
				found[i] = ""
			}
		}
	}
	// As it is, also with a newline at its end, as programs that do not trim it.
	result := credential{source: source, tokenURL: found[0], clientID: found[1], secret: found[2]}
	if len(missing) > 0 {
		return result, &failure{Kind: "configuration", Message: "missing: " + strings.Join(missing, ", ")}
	}
	return result, nil
}
