{{- define "headgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "headgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "headgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "headgate.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "headgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "headgate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "headgate.selector" -}}
app.kubernetes.io/name: {{ include "headgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "headgate.labels" -}}
{{ include "headgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "headgate.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- /* Name of the Secret with the admin token and the key of the state; empty: there is none. */ -}}
{{- define "headgate.secret" -}}
{{- if .Values.secret.existingSecret -}}
{{- .Values.secret.existingSecret -}}
{{- else if .Values.secret.create -}}
{{- include "headgate.fullname" . }}-secret
{{- end -}}
{{- end -}}

{{- /* The ConfigMap of the TCP ports. */ -}}
{{- define "headgate.tcpServices" -}}
{{- include "headgate.fullname" . }}-tcp
{{- end -}}

{{- define "headgate.webhookName" -}}
{{- include "headgate.fullname" . }}-webhook
{{- end -}}

{{- /* The ValidatingWebhookConfiguration, which is nobody's namespace's. */ -}}
{{- define "headgate.webhookConfiguration" -}}
{{- printf "%s-%s" .Release.Namespace (include "headgate.webhookName" .) -}}
{{- end -}}

{{- /* "true" when the leader keeps the webhook's certificate. */ -}}
{{- define "headgate.keepsCertificate" -}}
{{- if and .Values.webhook.enabled (not .Values.webhook.existingSecret) -}}true{{- end -}}
{{- end -}}

{{- define "headgate.leaseName" -}}
{{- default (printf "%s-leader" (include "headgate.fullname" .)) .Values.election.id -}}
{{- end -}}

{{- /* What Kubernetes waits before it kills: everything that stopping may take, and 10 s. */ -}}
{{- define "headgate.terminationGracePeriod" -}}
{{- with .Values.shutdown -}}
{{- add .preStopSleepSeconds .gracePeriodSeconds .drainTimeoutSeconds 10 -}}
{{- end -}}
{{- end -}}
