{{/* The name of all objects of this release, but for those whose names the operator itself decides. */}}
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

{{/* Labels that select the pods; they never change while a release lives. */}}
{{- define "technical-user-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "technical-user-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "technical-user-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "technical-user-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "technical-user-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: name the ServiceAccount that is there already, in serviceAccount.name" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Whose name is on the users in the portal. There is no default on purpose, so the message says what it is. */}}
{{- define "technical-user-operator.instance" -}}
{{- if not .Values.instance -}}
{{- fail `

The value "instance" is required.

It is the name under which this installation owns users in the portal: it becomes a part of each user's mark there.
  - It stays the same when the cluster is rebuilt or moved. With another name the operator would not know its users.
  - No two running installations of one company share a name. They would take each other's users for their own.
Lower-case letters, digits and dashes, at most 20, for example:

  --set instance=prod-eu
` -}}
{{- end -}}
{{- .Values.instance -}}
{{- end -}}

{{/* The Secret and the Lease that the operator makes in its own namespace. */}}
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

{{- define "technical-user-operator.image" -}}
{{- $image := .Values.image.repository -}}
{{- with .Values.image.registry }}{{ $image = printf "%s/%s" (trimSuffix "/" .) $image }}{{ end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $image .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The environment that says which installation it is: the operator's and the preflight's. */}}
{{- define "technical-user-operator.installationEnv" -}}
- name: TUO_INSTANCE
  value: {{ include "technical-user-operator.instance" . | quote }}
- name: TUO_WATCH_NAMESPACES
  value: {{ include "technical-user-operator.watchNamespaces" . | fromJsonArray | join "," | quote }}
- name: TUO_LEADER_ELECTION
  value: {{ .Values.leaderElection.enabled | quote }}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- end -}}

{{/* The name of the preflight's pod; no Service, budget or ReplicaSet of the operator's selects it. */}}
{{- define "technical-user-operator.preflightName" -}}
{{- printf "%s-preflight" (default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-") -}}
{{- end -}}

{{/* What the operator does in the namespaces that it watches. */}}
{{- define "technical-user-operator.watchedRules" -}}
# The reconciler of TechnicalUsers: patch writes the finalizer and the attempt that precedes each create.
- apiGroups: [technicaluser.dev]
  resources: [technicalusers]
  verbs: [get, list, watch, patch]
- apiGroups: [technicaluser.dev]
  resources: [technicalusers/status]
  verbs: [patch]
# The ownerReference of a generated Secret blocks its owner's deletion; the admission plugin
# OwnerReferencesPermissionEnforcement allows that only to those who may update the owner's finalizers.
- apiGroups: [technicaluser.dev]
  resources: [technicalusers/finalizers]
  verbs: [update]
# The reconciler of Portals: patch writes the finalizer.
- apiGroups: [technicaluser.dev]
  resources: [portals]
  verbs: [get, list, watch, patch]
- apiGroups: [technicaluser.dev]
  resources: [portals/status]
  verbs: [patch]
# get: login Secrets, CA bundles in Secrets, and a Secret of ours that somebody has changed.
# list, watch: metadata only, with a label selector for the Secrets of this installation. RBAC cannot say that: it
# knows no labels, so whoever has this ServiceAccount's token can read every Secret of the namespace.
# create, patch: the outputs of TechnicalUsers. delete: only a Secret of ours that no output names any more.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
# The CA bundle of a Portal, where it is in a ConfigMap.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# The labels of a namespace, for the selectors of a Portal's `access`. In a Role: this one namespace.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
# The free Secrets of a quota: no more users are made at a time than Secrets can be written.
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list]
# Events on TechnicalUsers and Portals; patch counts a repeated one.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
