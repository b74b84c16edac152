{{/* The name of all objects of this release, except those that the operator itself names. */}}
{{- define "technical-user-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name of the objects without a namespace. No namespace has a colon in its name, so two releases never share one. */}}
{{- define "technical-user-operator.clusterName" -}}
{{- printf "%s:%s" (include "technical-user-operator.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The value of the label app.kubernetes.io/name. */}}
{{- define "technical-user-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that select the pods. They never change during the lifetime of a release. */}}
{{- define "technical-user-operator.selectorLabels" -}}
{{- dict "app.kubernetes.io/name" (include "technical-user-operator.name" .) "app.kubernetes.io/instance" .Release.Name | toYaml -}}
{{- end -}}

{{/* Labels for all objects, from the values of this chart and of the parent chart. */}}
{{- define "technical-user-operator.commonLabels" -}}
{{- mergeOverwrite (deepCopy .Values.global.commonLabels) .Values.commonLabels | toYaml -}}
{{- end -}}

{{/*
The labels for what the operator creates, as key=value,key=value: without those by which the operator and other tools recognize
their objects. The operator refuses them.
*/}}
{{- define "technical-user-operator.operatorLabels" -}}
{{- $reserved := list
  `^app\.kubernetes\.io/(instance|managed-by)$`
  `^argocd\.argoproj\.io/instance$`
  `^kapp\.k14s\.io/`
  `^([^/]*\.)?technicaluser\.dev/` | join "|" -}}
{{- $labels := list -}}
{{- range $key, $value := include "technical-user-operator.commonLabels" . | fromYaml -}}
{{- if not (regexMatch $reserved $key) -}}
{{- $labels = append $labels (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- end -}}
{{- join "," $labels -}}
{{- end -}}

{{- define "technical-user-operator.labels" -}}
{{- $own := include "technical-user-operator.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/component" "operator" -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- mergeOverwrite (include "technical-user-operator.commonLabels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{- define "technical-user-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "technical-user-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: name the existing ServiceAccount in serviceAccount.name" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The name of the installation in the marks of its users. It has no default on purpose, so the message explains it. */}}
{{- define "technical-user-operator.instance" -}}
{{- if not .Values.instance -}}
{{- fail `

The value "instance" is required.

It is the name under which this installation owns users in the portal: it becomes a part of each user's mark there.
  - Keep it when the cluster is rebuilt or moved. With another name the operator would not recognize its users.
  - Do not use one name for two running installations of a company. They would take each other's users for their own.
Lower-case letters, digits and dashes, at most 20, for example:

  --set instance=prod-eu
` -}}
{{- end -}}
{{- .Values.instance -}}
{{- end -}}

{{/* The name of the Secret and the Lease that the operator creates in its own namespace. */}}
{{- define "technical-user-operator.ownObject" -}}
technical-user-operator-{{ include "technical-user-operator.instance" . }}
{{- end -}}

{{/* The watched namespaces as a list in JSON: ["*"], those named, or the release's own. */}}
{{- define "technical-user-operator.watchNamespaces" -}}
{{- if .Values.watchNamespaces -}}
{{- toJson .Values.watchNamespaces -}}
{{- else -}}
{{- toJson (list .Release.Namespace) -}}
{{- end -}}
{{- end -}}
