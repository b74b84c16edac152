// The connector is what the credentials are for, reduced to that: it obtains tokens in a loop with what it was given,
// and reports the result over HTTP. Tests run it in pods.
//
// It reads the credential from CREDENTIALS_DIR (a mounted Secret, read for each token), from OAUTH_TOKEN_URL,
// OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, or from what a bare envFrom brought. With EDC_VAULT_HASHICORP_URL it reads the
// variables of a tractusx-connector and behaves as that does. CA_FILE: more root certificates.
// INTERVAL: between two tokens, 1s by default. LISTEN: :8080 by default.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// An outcome is all that was seen so far. lastError stays when a later attempt succeeds.
type outcome struct {
	Source    string     `json:"source"`
	ClientID  string     `json:"clientId"`
	TokenURL  string     `json:"tokenUrl"`
	Obtained  int        `json:"obtained"`
	Failed    int        `json:"failed"`
	LastError *failure   `json:"lastError"`
	Ready     bool       `json:"ready"`
	Since     *time.Time `json:"since"`
}

type connector struct {
	env   func(string) string
	edc   *edc
	mutex sync.Mutex
	seen  outcome
}

// next obtains a token, or uses the current one where the connector keeps it; whether one was obtained.
func (c *connector) next(ctx context.Context) (credential, bool, *failure) {
	if c.edc != nil {
		return c.edc.next(ctx)
	}
	from, failed := readCredential(c.env)
	if failed == nil {
		_, failed = obtain(ctx, from, c.env("CA_FILE"))
	}
	return from, failed == nil, failed
}

// attempt needs a token and notes how that went.
func (c *connector) attempt(ctx context.Context) {
	from, obtained, failed := c.next(ctx)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	before := c.seen
	c.seen.Source, c.seen.ClientID, c.seen.TokenURL = from.source, from.clientID, from.tokenURL
	c.seen.Ready = failed == nil
	if obtained {
		c.seen.Obtained++
	}
	if failed != nil {
		c.seen.Failed++
		c.seen.LastError = failed
	}
	if before.Since == nil || before.Ready != c.seen.Ready {
		now := time.Now().UTC().Truncate(time.Second)
		c.seen.Since = &now
	}
	// Changes only: a log of every second says nothing.
	switch {
	case failed != nil && (before.Since == nil || before.Ready || *before.LastError != *failed):
		log.Printf("no token for %q at %q: %s", from.clientID, from.tokenURL, failed)
	case failed == nil && (!before.Ready || before.ClientID != from.clientID):
		log.Printf("token obtained for %q at %q, by %s", from.clientID, from.tokenURL, from.source)
	}
}

func (f *failure) String() string {
	if f.Status != 0 {
		return fmt.Sprintf("%s (status %d): %s", f.Kind, f.Status, f.Message)
	}
	return fmt.Sprintf("%s: %s", f.Kind, f.Message)
}

func (c *connector) snapshot() outcome {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.seen
}

func (c *connector) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(writer http.ResponseWriter, _ *http.Request) {
		seen := c.snapshot()
		switch {
		case seen.Ready:
			fmt.Fprintf(writer, "tokens are obtained since %s\n", seen.Since.Format(time.RFC3339))
		case seen.LastError == nil:
			http.Error(writer, "no attempt yet", http.StatusServiceUnavailable)
		default:
			http.Error(writer, seen.LastError.String(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /outcome", func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(writer).Encode(c.snapshot())
	})
	return mux
}

// orElse is a variable's value, or this.
func orElse(env func(string) string, name, otherwise string) string {
	if value := env(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.SetOutput(os.Stdout)
	interval, err := time.ParseDuration(orElse(os.Getenv, "INTERVAL", "1s"))
	if err != nil || interval <= 0 {
		log.Fatal("INTERVAL is no duration such as 1s")
	}
	// The first process of a container ends by a signal only if it asks for it.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		os.Exit(0)
	}()
	c := &connector{env: os.Getenv}
	if isEDC(os.Getenv) {
		login, failed := newEDC(os.Environ())
		if failed != nil {
			// EDC does not start then.
			log.Fatal(failed)
		}
		c.edc = login
	}
	listener, err := net.Listen("tcp", orElse(os.Getenv, "LISTEN", ":8080"))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listener.Addr())
	go func() {
		for {
			c.attempt(context.Background())
			time.Sleep(interval)
		}
	}()
	server := &http.Server{Handler: c.handler(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
