{{- define "headgate.podTemplate" -}}
metadata:
  labels:
    {{- include "headgate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "headgate.serviceAccount" . }}
  automountServiceAccountToken: true
  # A Service called "headgate" would otherwise set variables that read like our flags.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "headgate.terminationGracePeriod" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- if or .Values.dnsPolicy .Values.hostNetwork }}
  dnsPolicy: {{ default "ClusterFirstWithHostNet" .Values.dnsPolicy }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
    {{- if and (not .Values.hostNetwork) (not (hasKey .Values.podSecurityContext "sysctls")) }}
    sysctls:
      - name: net.ipv4.ip_unprivileged_port_start
        value: '0'
    {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: headgate
      image: {{ include "headgate.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- include "headgate.arguments" . | nindent 8 }}
      env:
        - name: NODE_NAME
          valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- range $name := list "http" "https" "admin" }}
        {{- with index $.Values.ports $name }}
        - name: {{ $name }}
          containerPort: {{ . }}
          {{- with index $.Values.hostPorts $name }}
          hostPort: {{ . }}
          {{- end }}
        {{- end }}
        {{- end }}
        {{- range $port, $reference := .Values.tcp }}
        - name: tcp-{{ $port }}
          containerPort: {{ $port }}
          {{- if $.Values.hostPorts.tcp }}
          hostPort: {{ $port }}
          {{- end }}
        {{- end }}
        {{- if .Values.webhook.enabled }}
        - name: webhook
          containerPort: {{ .Values.webhook.port }}
        {{- end }}
      startupProbe:
        httpGet: { path: /healthz, port: admin }
        {{- toYaml .Values.startupProbe | nindent 8 }}
      readinessProbe:
        httpGet: { path: /readyz, port: admin }
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      livenessProbe:
        httpGet: { path: /healthz, port: admin }
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      {{- if .Values.shutdown.preStopSleepSeconds }}
      lifecycle:
        preStop:
          sleep: { seconds: {{ .Values.shutdown.preStopSleepSeconds }} }
      {{- end }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "headgate.volumeMounts" . | nindent 6 }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "headgate.volumes" . | nindent 2 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.kind "Deployment" }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "headgate.selector" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "headgate.volumeMounts" -}}
{{- $webhook := and .Values.webhook.enabled .Values.webhook.existingSecret }}
{{- if or .Values.state.enabled (include "headgate.secret" .) $webhook .Values.extraVolumeMounts -}}
volumeMounts:
  {{- if $webhook }}
  - name: webhook
    mountPath: /etc/headgate/webhook
    readOnly: true
  {{- end }}
  {{- if include "headgate.secret" . }}
  - name: secret
    mountPath: /etc/headgate/secret
    readOnly: true
  {{- end }}
  {{- if .Values.state.enabled }}
  - name: state
    mountPath: /var/lib/headgate
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "headgate.volumes" -}}
{{- $webhook := and .Values.webhook.enabled .Values.webhook.existingSecret }}
{{- if or .Values.state.enabled (include "headgate.secret" .) $webhook .Values.extraVolumes -}}
volumes:
  {{- if $webhook }}
  - name: webhook
    secret:
      secretName: {{ .Values.webhook.existingSecret }}
  {{- end }}
  {{- with include "headgate.secret" . }}
  - name: secret
    secret:
      secretName: {{ . }}
  {{- end }}
  {{- if .Values.state.enabled }}
  - name: state
    {{- if eq .Values.state.volume "hostPath" }}
    hostPath:
      path: {{ .Values.state.hostPath }}
      type: Directory
    {{- else if eq .Values.state.volume "claim" }}
    persistentVolumeClaim:
      claimName: {{ required "state.existingClaim names the claim of state.volume: claim" .Values.state.existingClaim }}
    {{- else }}
    emptyDir:
      sizeLimit: {{ .Values.state.sizeLimit }}
    {{- end }}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}
