{{/*
Gives each missing value its default. `helm upgrade --reuse-values` passes the values of the chart that was installed before,
so every value that this chart adds is missing. Each template calls this first.
*/}}
{{- define "technical-user-operator.defaults" -}}
{{- include "technical-user-operator.fill" (list .Values (.Files.Get "files/values.yaml" | fromYaml)) -}}
{{- end -}}

{{/* Adds to a map the keys that only a second one has, at all depths. */}}
{{- define "technical-user-operator.fill" -}}
{{- $values := index . 0 -}}
{{- /* Kubernetes' own types: null removes one of their fields, or all, so a missing field means no field. */ -}}
{{- $asTheyAre := list "podSecurityContext" "securityContext" "resources" -}}
{{- range $name, $default := index . 1 -}}
{{- if not (has $name $asTheyAre) -}}
{{- $value := index $values $name -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := set $values $name $default -}}
{{- else if and (kindIs "map" $value) (kindIs "map" $default) -}}
{{- include "technical-user-operator.fill" (list $value $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
