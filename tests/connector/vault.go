package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A vault is HashiCorp Vault with the engine KV version 2, as EDC reads it.
type vault struct {
	address, token, mount, folder string
}

// entry is the address of an alias. EDC encodes its segments, and the library below it encodes them again: an alias with
// a colon is read by the name "did%3Aweb%3Ax".
func (v vault) entry(alias string) string {
	segments := append(strings.Split(strings.Trim(v.mount, "/"), "/"), "data")
	if folder := strings.Trim(v.folder, "/"); folder != "" {
		segments = append(segments, strings.Split(folder, "/")...)
	}
	for _, segment := range strings.Split(alias, "/") {
		segments = append(segments, url.PathEscape(url.QueryEscape(segment)))
	}
	return strings.TrimSuffix(v.address, "/") + "/" + strings.Join(segments, "/")
}

// resolve reads the secret of an alias, as it is.
func (v vault) resolve(ctx context.Context, alias, caFile string) (string, *failure) {
	client, err := newClient(caFile)
	if err != nil {
		return "", &failure{Kind: "configuration", Message: err.Error()}
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.entry(alias), nil)
	if err != nil {
		return "", &failure{Kind: "configuration", Message: "the address of the vault is none"}
	}
	request.Header.Set("X-Vault-Token", v.token)
	answer, err := client.Do(request)
	if err != nil {
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err
		}
		return "", &failure{Kind: "vault", Message: err.Error()}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", &failure{Kind: "vault", Status: answer.StatusCode, Message: "there is no such entry, or no right to read it"}
	}
	var body struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&body); err != nil {
		return "", &failure{Kind: "vault", Status: answer.StatusCode, Message: "the answer is not Vault's"}
	}
	// The only key that EDC reads. Without it a real one fails with a NullPointerException.
	content, ok := body.Data.Data["content"].(string)
	if !ok {
		return "", &failure{Kind: "vault", Status: answer.StatusCode, Message: "the entry has no key content"}
	}
	return content, nil
}
