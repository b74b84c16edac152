package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"
)

// An edc is a login as a connector of Eclipse's EDC has it, in the edition of Tractus-X: settings from the environment,
// read once, and the client secret from Vault, whenever a token is needed.
type edc struct {
	tokenURL, clientID, alias string
	vault                     vault
	caFile                    string
	// With a wallet a token is used until it expires. Without one, each is a new one.
	keepsToken bool
	// The current token is used until then. Nothing ends it earlier, also no refusal.
	until time.Time
	now   func() time.Time
}

// settings are the variables as EDC names them: in small letters, with dots. Two variables of one such name stop it.
func settings(environment []string) (map[string]string, *failure) {
	found := map[string]string{}
	sort.Strings(environment)
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		key := strings.ReplaceAll(strings.ToLower(name), "_", ".")
		if _, twice := found[key]; twice {
			return nil, &failure{Kind: "configuration", Message: "Duplicate key " + key}
		}
		found[key] = value
	}
	return found, nil
}

// isEDC is whether an environment is that of such a connector.
func isEDC(env func(string) string) bool {
	return env("EDC_VAULT_HASHICORP_URL") != ""
}

// newEDC reads the settings, with EDC's defaults.
func newEDC(environment []string) (*edc, *failure) {
	all, failed := settings(environment)
	if failed != nil {
		return nil, failed
	}
	missing := []string{}
	need := func(key string) string {
		if all[key] == "" {
			missing = append(missing, "setting "+key)
		}
		return all[key]
	}
	or := func(key, otherwise string) string {
		if value, ok := all[key]; ok {
			return value
		}
		return otherwise
	}
	result := &edc{
		tokenURL: strings.TrimSuffix(need("edc.iam.sts.oauth.token.url"), "/"),
		clientID: need("edc.iam.sts.oauth.client.id"),
		alias:    need("edc.iam.sts.oauth.client.secret.alias"),
		vault: vault{
			address: need("edc.vault.hashicorp.url"),
			token:   need("edc.vault.hashicorp.token"),
			mount:   or("edc.vault.hashicorp.api.secret.path", "/v1/secret"),
			folder:  or("edc.vault.hashicorp.folder", ""),
		},
		caFile: all["ca.file"],
		// The name up to 0.12, and that from 0.13.
		keepsToken: all["tx.edc.iam.sts.dim.url"] != "" || all["tx.edc.iam.sts.div.url"] != "",
		now:        time.Now,
	}
	if len(missing) > 0 {
		return nil, &failure{Kind: "configuration", Message: "missing: " + strings.Join(missing, ", ")}
	}
	return result, nil
}

// next uses the current token, or obtains one. It returns the login without the client secret, and whether a token was obtained.
func (e *edc) next(ctx context.Context) (credential, bool, *failure) {
	from := credential{source: "vault", tokenURL: e.tokenURL, clientID: e.clientID}
	start := e.now()
	if start.Before(e.until) {
		return from, false, nil
	}
	secret, failed := e.vault.resolve(ctx, e.alias, e.caFile)
	if failed != nil {
		failed.Message = fmt.Sprintf("Failed to fetch client secret from the vault with alias %s: %s", e.alias, failed.Message)
		return from, false, failed
	}
	login := from
	login.secret = secret
	lifetime, failed := obtain(ctx, login, e.caFile)
	if failed != nil {
		return from, false, failed
	}
	if e.keepsToken {
		e.until = start.Add(lifetime)
	}
	return from, true, nil
}
