"""DynamicFrame is AWS's own: use a DataFrame."""

from awsglue.missing import Missing

DynamicFrame = Missing("DynamicFrame")
DynamicFrameCollection = Missing("DynamicFrameCollection")
